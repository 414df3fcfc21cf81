// Drives a stand-in Salesforce with jsforce; takes address, token and one opportunity, prints what it saw.
import jsforce from "jsforce";

const [instanceUrl, accessToken, id] = process.argv.slice(2);
const connection = new jsforce.Connection({ instanceUrl, accessToken, version: "68.0" });

const count = async (soql) => {
  const query = connection.query(soql, { autoFetch: true, maxFetch: 10_000, headers: { "Sforce-Query-Options": "batchSize=200" } });
  let rows = 0;
  query.on("record", () => rows++);
  await new Promise((resolve, reject) => query.on("end", resolve).on("error", reject).run());
  return rows;
};

const refusal = await connection.query("SELECT Nothing FROM Opportunity").catch((error) => error.errorCode);
const describe = await connection.sobject("Opportunity").describe();
const updates = await connection.sobject("Opportunity").update(
  [{ Id: id, NextStep: "  seen by jsforce " }, { Id: id, NextStep: "x".repeat(256) }],
  { allOrNone: false },
);
const record = await connection.sobject("Opportunity").retrieve(id);
const found = await connection.sobject("Opportunity").find({ CloseDate: { $lt: jsforce.Date.TODAY }, IsClosed: false }, "Id, Account.Name");
const field = await connection.tooling.sobject("CustomField").create({
  FullName: "Opportunity.Jsforce__c",
  Metadata: { type: "Text", label: "jsforce", length: 20 },
});
const identity = await connection.request("/services/oauth2/userinfo");


connection.bulk2.pollInterval = 10;
const stream = await connection.bulk2.query("SELECT Id, Name, Account.Name FROM Opportunity", { scanAll: false });
const bulkRows = await stream.toArray();
const loaded = await connection.bulk2.loadAndWaitForResults({
  object: "Opportunity",
  operation: "update",
  input: [
    { Id: id, NextStep: "loaded,\n\"by\" jsforce", LeadSource: "" },
    { Id: id, NextStep: "x".repeat(256), LeadSource: "" },
    { Id: id, NextStep: "", LeadSource: "#N/A" },
  ],
});
const afterwards = await connection.sobject("Opportunity").retrieve(id);

console.log(
  JSON.stringify({
    contacts: await count("SELECT Id FROM Contact"),
    refusal,
    stage: describe.fields.find((it) => it.name === "StageName").type,
    updates: updates.map((it) => it.success),
    nextStep: record.NextStep,
    overdue: found.length,
    field: field.success,
    user: identity.preferred_username,
    bulkRows: bulkRows.length,
    bulkNames: bulkRows.every((row) => row.Name && "Account.Name" in row),
    loaded: loaded.successfulResults.length,
    refused: loaded.failedResults.map((row) => row.sf__Error.split(":")[0]),
    unprocessed: loaded.unprocessedRecords.length,
    bulkStep: afterwards.NextStep,
    bulkSource: afterwards.LeadSource,
    usage: connection.limitInfo.apiUsage.limit,
  }),
);
