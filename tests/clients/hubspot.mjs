// Drives a stand-in HubSpot with @hubspot/api-client; takes address, token and one deal, prints what it saw.
import { Client } from "@hubspot/api-client";

const [basePath, accessToken, id] = process.argv.slice(2);
const client = new Client({ basePath, accessToken, numberOfApiCallRetries: 0 });
const { deals, contacts, objects, associations, owners, pipelines, properties } = client.crm;
const refused = (call) => call.catch((error) => ({ code: error.code, body: error.body }));

async function reading() {
  const all = await deals.getAll(100, undefined, ["dealname"], undefined, ["companies", "contacts"]);
  const first = await deals.basicApi.getPage(50, undefined, ["dealname"]);
  const second = await deals.basicApi.getPage(50, first.paging.next.after, ["dealname"]);
  const batch = await deals.batchApi.read({
    inputs: [{ id }, { id: "99" }],
    properties: ["dealname", "dealstage"],
    propertiesWithHistory: [],
  });
  const one = await deals.basicApi.getById(id, ["amount"], ["dealstage"], ["companies"]);
  const missing = await refused(deals.basicApi.getById("99"));
  return {
    all: all.length,
    withCompany: all.filter((it) => it.associations?.companies).length,
    pages: [first.results.length, second.results.length, first.results.at(-1).id < second.results[0].id],
    batch: [batch.results.length, batch.results[0].properties.dealname],
    missing: [batch.errors[0].context.ids, missing.code, missing.body.category],
    dates: one.createdAt instanceof Date && one.updatedAt instanceof Date,
    firstStage: one.propertiesWithHistory.dealstage.at(-1).sourceType,
    company: one.associations.companies.results.length > 0,
  };
}

async function searching() {
  const request = (after) => ({
    filterGroups: [{ filters: [{ propertyName: "amount", operator: "GTE", value: "100000" }] }],
    sorts: ["-amount"],
    properties: ["amount"],
    limit: 10,
    after,
  });
  const found = [];
  let page = await deals.searchApi.doSearch(request());
  const total = page.total;
  for (;;) {
    found.push(...page.results);
    if (!page.paging) break;
    page = await deals.searchApi.doSearch(request(page.paging.next.after));
  }
  const amounts = found.map((it) => Number(it.properties.amount));
  const people = await contacts.searchApi.doSearch({
    filterGroups: [{ filters: [{ propertyName: "lastmodifieddate", operator: "GTE", value: "0" }] }],
    limit: 1,
  });
  return {
    total,
    distinct: new Set(found.map((it) => it.id)).size,
    descending: amounts.every((amount, place) => place === 0 || amounts[place - 1] >= amount),
    people: people.total > 0,
  };
}

async function writing() {
  const update = (...inputs) => deals.batchApi.update({ inputs });
  const written = await update(
    { id, properties: { risk: "seen by node" } },
    { id: "99", properties: { risk: "nobody" } },
  );
  const wrong = await refused(update({ id, properties: { amount: "many" } }));
  const cleared = await deals.basicApi.update(id, { properties: { need: "" } });
  const task = await objects.basicApi.create("tasks", {
    properties: { hs_task_subject: "Call", hs_timestamp: "2026-12-01T09:00:00Z" },
    associations: [{ to: { id }, types: [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: 216 }] }],
  });
  await objects.basicApi.archive("tasks", task.id);
  const gone = await refused(objects.basicApi.getById("tasks", task.id));
  return {
    written: written.results.map((it) => it.id === id),
    missing: [written.numErrors, written.errors[0].category, written.errors[0].context.ids],
    wrong: [wrong.code, wrong.body.category, wrong.body.errors[0].code],
    cleared: cleared.properties.need,
    gone: gone.code,
  };
}

async function linking() {
  const links = await associations.v4.batchApi.getPage("deals", "contacts", { inputs: [{ id }] });
  const roles = links.results[0].to.flatMap((it) => it.associationTypes.map((type) => type.label));
  const labels = await associations.v4.schema.definitionsApi.getAll("deals", "contacts");
  const plain = labels.results.find((it) => it.label === null);
  return { roles: roles.filter(Boolean).sort(), labels: labels.results.length > 5, plain: plain.typeId };
}

async function defining() {
  await properties.groupsApi.create("deals", { name: "node", label: "Node", displayOrder: 1 });
  const definition = {
    name: "node_flags",
    label: "Node flags",
    type: "enumeration",
    fieldType: "checkbox",
    groupName: "node",
    options: [{ label: "a", value: "a", displayOrder: 0, hidden: false }],
  };
  await properties.coreApi.create("deals", definition);
  const again = await refused(properties.coreApi.create("deals", definition));
  const options = [...definition.options, { label: "b", value: "b", displayOrder: 1, hidden: false }];
  await properties.coreApi.update("deals", "node_flags", { options });
  const read = await properties.batchApi.read("deals", {
    archived: false,
    inputs: [{ name: "node_flags" }, { name: "nowhere" }],
  });
  const all = await properties.coreApi.getAll("deals");
  return {
    again: again.code,
    options: read.results[0].options.map((it) => it.value),
    unknown: read.errors.length,
    amount: all.results.find((it) => it.name === "amount").type,
  };
}

async function organisation() {
  const found = await pipelines.pipelinesApi.getAll("deals");
  const stages = await pipelines.pipelineStagesApi.getAll("deals", found.results[0].id);
  const here = await owners.ownersApi.getPage(undefined, undefined, 5);
  const next = await owners.ownersApi.getPage(undefined, here.paging.next.after, 500);
  const left = await owners.ownersApi.getPage(undefined, undefined, 100, true);
  const one = await owners.ownersApi.getById(Number(here.results[0].id));
  return {
    pipelines: found.results.map((it) => it.label),
    won: stages.results.find((it) => it.id === "closedwon").metadata,
    owners: [here.results.length, here.results.length + next.results.length],
    left: left.results.length > 0 && left.results.every((it) => it.archived),
    one: one.email === here.results[0].email,
  };
}

async function dated() {
  const ask = async (method, path, body) => (await client.apiRequest({ method, path, body })).json();
  const listed = await ask("GET", "/crm/objects/2026-09/deals?limit=2");
  const inputs = [{ id, properties: { risk: "dated" } }, { id: "99", properties: {} }];
  const written = await ask("POST", "/crm/objects/2026-09/deals/batch/update", { inputs });
  const flows = await ask("GET", "/automation/v4/flows");
  const rules = await ask("GET", "/crm/pipelines-rules/2026-09/0-3/default");
  return {
    listed: listed.results.length,
    written: [written.results.length, written.numErrors],
    flows: flows.results.length,
    rules: Object.keys(rules.governanceValidationRules).length,
  };
}

async function signingIn() {
  const grant = ["sandbox-client", "sandbox-secret"];
  const token = await client.oauth.tokensApi.create("refresh_token", undefined, undefined, ...grant, "sandbox-refresh-token");
  const app = new Client({ basePath, accessToken: token.accessToken, numberOfApiCallRetries: 0 });
  const seen = await app.crm.deals.basicApi.getPage(1);
  const wrong = await refused(client.oauth.tokensApi.create("refresh_token", undefined, undefined, ...grant, "other"));
  return { seconds: token.expiresIn, seen: seen.results.length, wrong: wrong.code };
}

const areas = { reading, searching, writing, linking, defining, organisation, dated, signingIn };
const seen = {};
for (const [name, look] of Object.entries(areas)) {
  seen[name] = await look();
}
console.log(JSON.stringify(seen));
