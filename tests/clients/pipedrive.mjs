// Drives a stand-in Pipedrive with its own client; takes address, API token, one deal, and an app's credentials.
import * as v1 from "pipedrive/v1";
import * as v2 from "pipedrive/v2";

const [address, apiKey, id, clientId, clientSecret, refreshToken] = process.argv.slice(2);
const newer = new v2.Configuration({ apiKey, basePath: `${address}/api/v2` });
const older = new v1.Configuration({ apiKey, basePath: `${address}/v1` });
const deals = new v2.DealsApi(newer);
const fields = new v2.DealFieldsApi(newer);
const oldDeals = new v1.DealsApi(older);
// The client rejects with the bare body, or with the error of axios.
const refused = (call) => call.catch((error) => error.response?.data ?? error);

async function walked(list) {
  const rows = [];
  for (let cursor; ; ) {
    const page = await list(cursor);
    rows.push(...page.data);
    cursor = page.additional_data.next_cursor;
    if (!cursor) return rows;
  }
}

const distinct = (rows) => new Set(rows.map((it) => it.id)).size;

async function reading() {
  const open = await walked((cursor) => deals.getDeals({ limit: 50, cursor, status: "open" }));
  const extras = await deals.getDeals({ limit: 500, include_fields: "participants_count" });
  const [first] = open;
  const later = await deals.getDeals({ updated_since: "2026-12-01T00:00:00Z" });
  const persons = await walked((cursor) => new v2.PersonsApi(newer).getPersons({ limit: 100, cursor }));
  const companies = await walked((cursor) => new v2.OrganizationsApi(newer).getOrganizations({ limit: 100, cursor }));
  const activities = await walked((cursor) => new v2.ActivitiesApi(newer).getActivities({ limit: 200, cursor }));
  return {
    open: [open.length, distinct(open)],
    archived: (await deals.getArchivedDeals({ limit: 500 })).data.length,
    counts: extras.data.every((it) => Number.isInteger(it.participants_count)),
    one: (await deals.getDeal({ id: first.id })).data.title === first.title,
    missing: (await refused(deals.getDeal({ id: 999999 }))).code,
    none: later.data.length,
    persons: distinct(persons),
    companies: distinct(companies),
    activities: distinct(activities),
  };
}

async function writing() {
  const made = await deals.addDeal({ AddDealRequest: { title: "By the client", value: 1200, stage_id: 1 } });
  const own = made.data.id;
  const moved = await deals.updateDeal({ id: own, UpdateDealRequest: { stage_id: 2 } });
  const lost = await deals.updateDeal({ id: own, UpdateDealRequest: { status: "lost", lost_reason: "Price" } });
  const wrong = await refused(deals.updateDeal({ id: own, UpdateDealRequest: { value: "many" } }));
  const log = await oldDeals.getDealChangelog({ id: own, limit: 500 });
  const kept = await deals.addDeal({ AddDealRequest: { title: "The other" } });
  const merged = await oldDeals.mergeDeals({ id: own, MergeDealsRequest: { merge_with_id: kept.data.id } });
  await deals.deleteDeal({ id: kept.data.id });
  const gone = await deals.getDeal({ id: kept.data.id });
  return {
    moved: [moved.data.stage_id, moved.data.stage_change_time !== null],
    lost: [lost.data.status, lost.data.lost_reason],
    wrong: [wrong.code, wrong.error],
    log: log.data.map((it) => it.field_key).filter((it) => ["stage_id", "status", "add_time"].includes(it)),
    merged: merged.data.id === kept.data.id,
    gone: gone.data.is_deleted,
  };
}

async function defining() {
  const made = await fields.addDealField({
    AddDealFieldRequest: { field_name: "Seen by", field_type: "set", options: [{ label: "node" }, { label: "others" }] },
  });
  const code = made.data.field_code;
  const option = made.data.options[0].id;
  const more = await fields.addDealFieldOptions({ field_code: code, AddDealFieldOptionsRequestInner: [{ label: "all" }] });
  const written = await deals.updateDeal({ id, UpdateDealRequest: { custom_fields: { [code]: [option] } } });
  const outside = await refused(deals.updateDeal({ id, UpdateDealRequest: { [code]: [option] } }));
  const empty = await refused(deals.updateDeal({ id, UpdateDealRequest: { custom_fields: { [code]: [] } } }));
  const log = await oldDeals.getDealChangelog({ id, limit: 1 });
  const cleared = await deals.updateDeal({ id, UpdateDealRequest: { custom_fields: { [code]: null } } });
  await fields.deleteDealField({ field_code: code });
  const all = await walked((cursor) => fields.getDealFields({ limit: 10, cursor }));
  return {
    key: code.length,
    more: more.data.map((it) => it.label),
    written: written.data.custom_fields[code].length,
    refused: [outside.code, empty.code],
    changed: log.data[0].field_key === code,
    cleared: cleared.data.custom_fields[code],
    left: all.some((it) => it.field_code === code),
    title: all.some((it) => it.field_code === "title"),
  };
}

async function people() {
  const users = await new v1.UsersApi(older).getUsers();
  const me = await new v1.UsersApi(older).getCurrentUser();
  const before = await oldDeals.getDealParticipants({ id });
  const [somebody] = (await new v2.PersonsApi(newer).getPersons({ limit: 1, sort_direction: "desc" })).data;
  const added = await oldDeals.addDealParticipant({ id, AddDealParticipantRequest: { person_id: somebody.id } });
  await oldDeals.deleteDealParticipant({ id, deal_participant_id: added.data.id });
  const after = await oldDeals.getDealParticipants({ id });
  return {
    users: users.data.length,
    admin: me.data.access.some((it) => it.app === "sales" && it.admin),
    participants: [before.data.length, after.data.length],
  };
}

async function organisation() {
  const pipelines = await new v2.PipelinesApi(newer).getPipelines();
  const stages = await new v2.StagesApi(newer).getStages();
  const types = await new v1.ActivityTypesApi(older).getActivityTypes();
  const currencies = await new v1.CurrenciesApi(older).getCurrencies();
  return {
    pipelines: pipelines.data.map((it) => it.name),
    rotting: stages.data.filter((it) => it.is_deal_rot_enabled).length,
    types: types.data.map((it) => it.key_string),
    yen: currencies.data.find((it) => it.code === "JPY").decimal_points,
  };
}

async function leadsAndNotes() {
  const leads = new v1.LeadsApi(older);
  const notes = new v1.NotesApi(older);
  const filters = new v1.FiltersApi(older);
  const listed = await leads.getLeads({ limit: 500 });
  const archived = await leads.getArchivedLeads({ limit: 500 });
  const [lead] = listed.data;
  const changed = await leads.updateLead({ id: lead.id, UpdateLeadRequest: { title: "Seen" } });
  const note = await notes.addNote({ AddNoteRequest: { content: "<b>Hello</b>", deal_id: Number(id) } });
  await notes.updateNote({ id: note.data.id, NoteRequest: { content: "Bye" } });
  const conditions = { glue: "and", conditions: [{ glue: "and", conditions: [] }, { glue: "or", conditions: [] }] };
  const filter = await filters.addFilter({ AddFilterRequest: { name: "Flagged", type: "deals", conditions } });
  return {
    leads: [listed.data.length, archived.data.length],
    changed: [changed.data.title, (await leads.getLead({ id: lead.id })).data.title],
    note: (await notes.getNote({ id: note.data.id })).data.content,
    notes: (await notes.getNotes({ deal_id: Number(id) })).data.length,
    filter: (await filters.getFilters({ type: "deals" })).data.some((it) => it.id === filter.data.id),
  };
}

async function signingIn() {
  const app = new v2.OAuth2Configuration({ clientId, clientSecret, redirectUri: "http://localhost/", host: address });
  app.refreshToken = refreshToken;
  const token = await app.tokenRefresh();
  const seen = await new v2.StagesApi(new v2.Configuration({ accessToken: token.access_token, basePath: app.basePath })).getStages();
  const old = new v1.Configuration({ accessToken: token.access_token, basePath: `${address}/v1` });
  const outside = await refused(new v1.LeadsApi(old).getLeads());
  app.refreshToken = "another";
  const wrong = await refused(app.tokenRefresh());
  return {
    seconds: token.expires_in,
    same: token.refresh_token === refreshToken,
    stages: seen.data.length > 0,
    outside: outside.error,
    wrong: wrong.error,
  };
}

const areas = { reading, writing, defining, people, organisation, leadsAndNotes, signingIn };
const seen = {};
for (const [name, area] of Object.entries(areas)) seen[name] = await area();
console.log(JSON.stringify(seen));
