// Drives a stand-in HubSpot with @hubspot/api-client; takes address, token and one deal, prints what it saw.
import { Client } from "@hubspot/api-client";

const [basePath, accessToken, id] = process.argv.slice(2);
const client = new Client({ basePath, accessToken, numberOfApiCallRetries: 0 });
const { deals, associations, owners, pipelines, properties } = client.crm;

const all = await deals.getAll(100, undefined, ["dealname"], undefined, ["companies"]);
const found = await deals.searchApi.doSearch({
  filterGroups: [{ filters: [{ propertyName: "amount", operator: "GTE", value: "500000" }] }],
  sorts: ["-amount"],
  properties: ["amount"],
  limit: 5,
});
const history = await deals.basicApi.getById(id, undefined, ["dealstage"]);
const refusal = await deals.batchApi
  .update({ inputs: [{ id, properties: { amount: "many" } }] })
  .catch((error) => ({ code: error.code, category: error.body.category }));
const written = await deals.batchApi.update({
  inputs: [
    { id, properties: { risk: "seen by node" } },
    { id: "99", properties: { risk: "nobody" } },
  ],
});
const links = await associations.v4.batchApi.getPage("deals", "contacts", { inputs: [{ id }] });
const made = await properties.coreApi.create("deals", {
  name: "node_score",
  label: "Node score",
  type: "number",
  fieldType: "number",
  groupName: "sales_method",
});
const gone = await owners.ownersApi.getPage(undefined, undefined, 100, true);
const stages = (await pipelines.pipelinesApi.getAll("deals")).results[0].stages;

console.log(
  JSON.stringify({
    deals: all.length,
    large: found.total,
    firstStage: history.propertiesWithHistory.dealstage.at(-1).sourceType,
    refusal,
    written: written.results.length,
    missing: written.errors[0].context.ids,
    roles: links.results[0].to.flatMap((it) => it.associationTypes.map((type) => type.label)).filter(Boolean).sort(),
    property: made.name,
    gone: gone.results.every((it) => it.archived),
    won: stages.find((it) => it.id === "closedwon").metadata,
  }),
);
