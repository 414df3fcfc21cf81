"""`settings.md`: every key of pipelint.yaml, out of the models that read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

from docs.generator.markdown import block, code, heading, page, sentence, table
from pipelint.config.project import ConnectionHead, FirstPush, ProjectModel, WriteBack
from pipelint.connectors.files import settings as files
from pipelint.connectors.files.shape import plural, shape_of
from pipelint.connectors.hubspot import settings as hubspot
from pipelint.connectors.pipedrive import settings as pipedrive
from pipelint.connectors.salesforce import settings as salesforce
from pipelint.records import Stream

EXAMPLE = """
pipelint: 1
rules: rules/
cache: .pipelint/cache.db

connections:
  acme-sales:
    crm: salesforce
    base_url: https://acme.my.salesforce.com
    auth: {flow: client_credentials, client_id: "${env:SF_CLIENT_ID}", client_secret: "${env:SF_CLIENT_SECRET}"}
  history:
    crm: files
    path: exports/
    streams:
      opportunities: {file: pipeline.csv, columns: {id: opportunity_id, stage: deal_stage}, zone: Europe/Paris}

write_back:
  mode: preview
  max_changes: 2000
  max_share: 40%
  first_push: {pipelines: [new-business], max_changes: 200}

schedule: 15m
metrics: /var/lib/node_exporter/textfile/pipelint.prom
"""

MEANINGS: Final = {
    ("Settings", "crm"): "the kind of CRM",
    ("ClientCredentials", "flow"): "the client credentials flow of an External Client App",
    ("ClientCredentials", "client_id"): "the app's consumer key",
    ("ClientCredentials", "client_secret"): "the app's consumer secret",
    ("Jwt", "flow"): "the JWT bearer flow of an External Client App",
    ("Jwt", "client_id"): "the app's consumer key",
    ("Jwt", "private_key"): "the RSA key, in PEM form, whose certificate the app holds",
    ("RefreshToken", "flow"): "a consent that was given in a browser once",
    ("RefreshToken", "client_id"): "the app's consumer key",
    ("RefreshToken", "client_secret"): "the app's consumer secret, where the app demands it",
    ("RefreshToken", "refresh_token"): "the refresh token",
    ("AccessToken", "flow"): "a token that somebody else got",
    ("AccessToken", "token"): "the token",
    ("StaticToken", "token"): "the service key, or the private app's token",
    ("OAuth", "client_id"): "the app's client id",
    ("OAuth", "client_secret"): "the app's client secret",
    ("OAuth", "refresh_token"): "the refresh token, which does not change",
    ("ApiToken", "token"): "the API token of a user who sees all deals",
    ("StreamSettings", "encoding"): "the encoding of the file, such as utf-8 or cp1252",
}
"""For keys whose model says nothing because their name does."""

SECRETS: Final = """
A secret never stands in the file. Write a reference: `${env:NAME}` for a variable of the environment, or
`${file:path}` for a file that holds nothing else. A literal secret is an error. A reference is resolved when a
command needs it, and its value is masked in all output. Other texts may hold references too, and these may have
a default: `${env:EXPORTS:-exports/}`.
"""

# What the patterns of our own types mean, by their beginning.
_PATTERNS: Final = {
    r"^\d{1,3}": "percentage, such as `40%`",
    r"^[1-9]\d{0,5}": "length of time, such as `30s`, `15m`, `6h` or `1d`",
    r"^\$\{": "reference, `${env:NAME}` or `${file:path}`",
}
_SIGNS: Final = {"": "nothing", " ": "a blank"}
_WORDS: Final = {"string": "text", "integer": "whole number", "boolean": "yes or no", "number": "number"}


def settings_page() -> str:
    """The page."""
    return page(
        "Settings",
        "What stands in `pipelint.yaml`. Every mistake in it is reported at its line and column, all at once.",
        block(EXAMPLE, "yaml project"),
        heading("Secrets"),
        SECRETS,
        heading("pipelint.yaml"),
        _keys(ProjectModel),
        heading("write_back"),
        _keys(WriteBack),
        heading("write_back.first_push", 3),
        _keys(FirstPush),
        heading("connections"),
        "Each connection has a name of lower-case letters, digits and hyphens. These keys stand in all of them:",
        _keys(ConnectionHead),
        heading("Connection to Salesforce", 3),
        "How to prepare the org is said in [Salesforce](salesforce.md).",
        _keys(salesforce.Settings),
        "`auth` with `flow: client_credentials`, for unattended jobs:",
        _keys(salesforce.ClientCredentials),
        "`auth` with `flow: jwt`, for unattended jobs without a shared secret:",
        _keys(salesforce.Jwt),
        "`auth` with `flow: refresh_token`, where somebody has consented in a browser:",
        _keys(salesforce.RefreshToken),
        "`auth` with `flow: access_token`, for tests and CI; such a token cannot be renewed:",
        _keys(salesforce.AccessToken),
        heading("Connection to HubSpot", 3),
        "How to prepare the account is said in [HubSpot](hubspot.md).",
        _keys(hubspot.Settings),
        "`auth` with a service key, or the token of an existing private app:",
        _keys(hubspot.StaticToken),
        "`auth` with an OAuth app:",
        _keys(hubspot.OAuth),
        heading("Connection to Pipedrive", 3),
        "How to prepare the company is said in [Pipedrive](pipedrive.md).",
        _keys(pipedrive.Settings),
        "`auth` with an API token:",
        _keys(pipedrive.ApiToken),
        "`auth` with a private app:",
        _keys(pipedrive.OAuth),
        heading("Connection to files", 3),
        "How files are read is said in [Files](files.md).",
        _keys(files.Settings, streams="for each kind of record its file; the kinds are below"),
        "Each entry of `streams`:",
        _keys(files.StreamSettings),
        heading("Streams of files", 3),
        "Fields in bold must have a column, a constant, or be a column of the same name.",
        table(("stream", "fields"), _streams()),
    )


def _keys(model: type[BaseModel], **instead: str) -> str:
    schema = model.model_json_schema()
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    rows = []
    for name, info in model.model_fields.items():
        said: Mapping[str, Any] = schema["properties"][name]
        meaning = instead.get(name) or info.description or _meaning(model, name)
        rows.append(
            (
                code(name),
                _type(said, definitions),
                _default(said, required=info.is_required()),
                sentence(meaning),
            )
        )
    return table(("key", "type", "default", "meaning"), rows)


def _meaning(model: type[BaseModel], name: str) -> str:
    try:
        return MEANINGS[model.__name__, name]
    except KeyError:
        raise LookupError(f"{model.__name__}.{name} has no description; give it one") from None


def _default(said: Mapping[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    value = said.get("default")
    if isinstance(value, bool):
        return code("yes" if value else "no")
    return "" if value in (None, "", [], {}) or isinstance(value, dict) else code(str(value))


def _type(said: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in said:
        said = {**definitions[said["$ref"].rpartition("/")[2]], **said}
    if "const" in said:
        return code(str(said["const"]))
    if "enum" in said:
        return " or ".join(_SIGNS.get(word) or code(str(word)) for word in said["enum"])
    if "anyOf" in said or "oneOf" in said:
        members = [one for one in said.get("anyOf", said.get("oneOf", [])) if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(_type(one, definitions) for one in members))
    if pattern := said.get("pattern"):
        return next((words for begin, words in _PATTERNS.items() if pattern.startswith(begin)), "text")
    if said.get("type") == "array":
        return f"list of {_type(said.get('items', {}), definitions)}"
    if said.get("type") == "object":
        return "map"
    return _WORDS.get(str(said.get("type")), "map") + _bounds(said)


def _bounds(said: Mapping[str, Any]) -> str:
    return f", at least {said['minimum']}" if "minimum" in said else ""


def _streams() -> Iterator[tuple[str, str]]:
    for stream in Stream:
        if stream in {Stream.ACTIVITY_LINKS, Stream.EXCHANGE_RATES}:
            continue
        shape = shape_of(stream)
        needed = {*shape.needed, *(["id"] if shape.needs_id else [])}
        names = [f"**`{name}`**" if name in needed else code(name) for name in shape.types]
        yield code(plural(stream)), ", ".join(names)
