"""What a schema cannot say: which records there are, and which fields depend on each other."""

import json
import os
import urllib.request

import schemathesis
from schemathesis.core import NOT_SET
from schemathesis.generation import GenerationMode

URL, TOKEN = os.environ["CODEX_URL"], os.environ["CODEX_TOKEN"]

# Fields that must fit others of the same record, or rows that are there: tests of their own look at these rules.
DEPENDENT = {"gateway", "life_quiet_days", "life_stale_days", "vlan", "uplink_id", "subnet_id", "cf", "tags"}

# The ways in which a company is named; it is one with two devices of its network, so that they can be joined.
COMPANIES = {"company_id", "company_account_number", "company"}


def ask(path):
    request = urllib.request.Request(URL + path, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def resolve(schema, raw):
    while "$ref" in schema:
        found = raw
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def members(schema, raw):
    schema = resolve(schema, raw)
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        found.update(members(part, raw))
    return found


EQUIPMENT = ask("/api/network_equipment")
OF_COMPANY = {}
for row in EQUIPMENT:
    OF_COMPANY.setdefault(row["company_account_number"], []).append(row["id"])
COMPANY, JOINABLE = max(OF_COMPANY.items(), key=lambda one: len(one[1]))
LICENSES = [row["id"] for row in ask("/api/licenses") if row["company_account_number"] == COMPANY]
ASSETS = [row["id"] for row in ask(f"/api/companies/{COMPANY}/assets")]
RECORDS = {"equipment": JOINABLE[0], "asset": ASSETS[0], **({"license": LICENSES[0]} if LICENSES else {})}


def fill(body, schema, raw):
    """Puts records that are there, and belong together, where others are referred to."""
    required = set(resolve(schema, raw).get("required", []))
    for name, member in members(schema, raw).items():
        refers = member.get("x-refers-to") or member.get("items", {}).get("x-refers-to")
        if name not in body or not (name in DEPENDENT or refers or name == "companies"):
            continue
        if name in COMPANIES:
            body[name] = COMPANY
        elif name == "company_account_numbers" or (name == "companies" and refers):
            body[name] = [COMPANY]
        elif name == "companies":
            body[name] = [{"account_number": COMPANY}]
        elif name in required and refers in RECORDS:
            body[name] = RECORDS[refers]
        elif name not in required or name == "entity_id":
            del body[name]
    if "a_id" in body and "b_id" in body:
        body["a_id"], body["b_id"] = JOINABLE[:2]
    if {"entity", "entity_id"} <= set(members(schema, raw)) and body.keys() & {"entity", "entity_id"}:
        body["entity"], body["entity_id"] = "asset", ASSETS[0]


# A time of history refuses filters, and months that are compared must follow each other.
DEPENDENT_QUERIES = {"as_of", "from", "to"}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Valid data names records that exist, and leaves out what depends on something else."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    for name in DEPENDENT_QUERIES & set(case.query or {}):
        del case.query[name]
    if case.method in ("PATCH", "DELETE") and not case.path.endswith("}") and "/my/" not in case.path:
        # Many records at once are named by a filter: these by ids that nothing has.
        case.query = {"id__in": "999999999"}
    if not isinstance(case.body, dict):
        return
    raw = case.operation.schema.raw_schema
    content = case.operation.definition.raw.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is not None:
        fill(case.body, schema, raw)
