// Drives a stand-in Pipedrive with its own client; takes address, API token and one deal, prints what it saw.
import * as v1 from "pipedrive/v1";
import * as v2 from "pipedrive/v2";

const [address, apiKey, id] = process.argv.slice(2);
const newer = new v2.Configuration({ apiKey, basePath: `${address}/api/v2` });
const older = new v1.Configuration({ apiKey, basePath: `${address}/v1` });
const deals = new v2.DealsApi(newer);
const fields = new v2.DealFieldsApi(newer);

const ids = [];
for (let cursor; ; ) {
  const page = await deals.getDeals({ limit: 50, cursor });
  ids.push(...page.data.map((it) => it.id));
  cursor = page.additional_data.next_cursor;
  if (!cursor) break;
}
const made = await fields.addDealField({
  AddDealFieldRequest: { field_name: "Seen by", field_type: "set", options: [{ label: "node" }, { label: "others" }] },
});
const code = made.data.field_code;
const option = made.data.options[0].id;
const written = await deals.updateDeal({ id, UpdateDealRequest: { custom_fields: { [code]: [option] } } });
const refusal = await deals.updateDeal({ id, UpdateDealRequest: { [code]: [option] } }).catch((error) => error);
const stages = await new v2.StagesApi(newer).getStages();
const users = await new v1.UsersApi(older).getUsers();
const log = await new v1.DealsApi(older).getDealChangelog({ id, limit: 1 });
const people = await new v1.DealsApi(older).getDealParticipants({ id });

console.log(
  JSON.stringify({
    deals: new Set(ids).size,
    written: written.data.custom_fields[code].length,
    refusal: refusal.response?.data?.code ?? refusal.code,
    rotting: stages.data.filter((it) => it.is_deal_rot_enabled).length,
    users: users.data.length,
    changed: log.data[0].field_key === code,
    people: people.data.length,
  }),
);
