"""What a schema cannot say: which records there are, and which fields depend on each other."""

import atexit
import json
import os
import urllib.error
import urllib.request

import schemathesis
from hypothesis import strategies
from schemathesis.generation import GenerationMode

# Whoever is asked for here, a service, knows all records; CALLER is who asks the operations.
URL, TOKEN, CALLER, PASSWORD = (os.environ[name] for name in ("CODEX_URL", "CODEX_TOKEN", "CODEX_CALLER", "CODEX_PASSWORD"))

schemathesis.openapi.format("time-zone", strategies.sampled_from(["Europe/Berlin", "America/New_York", "UTC"]))
schemathesis.openapi.format("cidr", strategies.sampled_from(["10.20.0.0/24", "192.168.7.0/28", "2001:db8:7::/48"]))
schemathesis.openapi.format("cadence", strategies.sampled_from(["0 2 * * *", "15 4 1 * *"]))

# Fields that must fit others of the same record, or rows that are there: tests of their own look at these rules.
DEPENDENT = {"gateway", "life_quiet_days", "life_stale_days", "vlan", "uplink_id", "subnet_id", "cf", "tags"}

# The ways in which a company is named; it is one with two devices of its network, so that they can be joined.
COMPANIES = {"company_id", "company_account_number", "company"}

# Where people say their password again.
PROVED = {"POST /api/keys", "POST /api/my/second-factor", "PUT /api/my/password"}

# What stays as it is once somebody has added a field.
OF_NEW_FIELDS = {"type", "key", "kind", "choices"}


def ask(path, token=TOKEN, body=None):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, headers=headers, data=body and json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code in (403, 404):
            return None
        raise


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


def needed(schema, raw):
    """Of which members one at least must be there."""
    groups = []
    for part in resolve(schema, raw).get("allOf", []):
        group = [name for one in part.get("anyOf", []) for name in one.get("required", [])]
        if group and len(group) == len(part["anyOf"]):
            groups.append(group)
    return groups


EQUIPMENT = ask("/api/network_equipment")
OF_COMPANY = {}
for row in EQUIPMENT:
    OF_COMPANY.setdefault(row["company_account_number"], []).append(row["id"])
COMPANY, JOINABLE = max(OF_COMPANY.items(), key=lambda one: len(one[1]))
LICENSES = [row["id"] for row in ask("/api/licenses") if row["company_account_number"] == COMPANY]
ASSETS = [row["id"] for row in ask(f"/api/companies/{COMPANY}/assets")]
CONTACTS = [row["id"] for row in ask(f"/api/companies/{COMPANY}/contacts")]
# A company of whoever asks: a client's keys reach no other.
MINE = (ask("/api/companies?limit=1", CALLER) or [{"account_number": COMPANY}])[0]["account_number"]
OTHER_COMPANY = next(one["account_number"] for one in ask("/api/companies") if one["account_number"] != COMPANY)
TAGS = [row["id"] for row in ask("/api/tags")] or [ask("/api/tags", body={"name": name})["id"] for name in ("one", "another")]
RECORDS = {"equipment": JOINABLE[0], "asset": ASSETS[0], **({"license": LICENSES[0]} if LICENSES else {})}

# Two records of each kind that can be merged, and the member that names the second one.
MERGED = {
    "/api/companies/{acct}/merge": ("acct", COMPANY, "from", OTHER_COMPANY),
    "/api/contacts/{id}/merge": ("id", CONTACTS[0], "from", CONTACTS[1]),
    "/api/assets/{id}/merge": ("id", ASSETS[0], "from", ASSETS[1]),
    "/api/tags/{id}/merge": ("id", TAGS[0], "into", TAGS[1]),
}


def fill(body, schema, raw, is_new):
    """Puts records that are there, and belong together, where others are referred to."""
    required = set(resolve(schema, raw).get("required", []))
    known = members(schema, raw)
    for name, member in known.items():
        refers = member.get("x-refers-to") or member.get("items", {}).get("x-refers-to")
        if name not in body or not (name in DEPENDENT or refers or name == "companies"):
            continue
        if name in COMPANIES and is_new:
            body[name] = COMPANY
        elif name == "company_account_numbers" or (name == "companies" and refers):
            body[name] = [COMPANY]
        elif name == "companies":
            body[name] = [{"account_number": COMPANY}]
        elif name in required and refers in RECORDS:
            body[name] = RECORDS[refers]
        elif name not in required or name == "entity_id":
            del body[name]
    for group in needed(schema, raw):
        if not any(body.get(name) for name in group):
            name = next(name for name in group if name in COMPANIES or known[name].get("x-refers-to") in RECORDS)
            body[name] = COMPANY if name in COMPANIES else RECORDS[known[name]["x-refers-to"]]
    if "a_id" in body and "b_id" in body:
        body["a_id"], body["b_id"] = JOINABLE[:2]
    if {"entity", "entity_id"} <= set(known) and body.keys() & {"entity", "entity_id"}:
        body["entity"], body["entity_id"] = "asset", ASSETS[0]


def fit(case):
    """What one operation asks beside its schema."""
    where, body = f"{case.method} {case.path}", case.body
    if case.path in MERGED and case.method == "POST":
        # What is merged would be missed by others: it is only tried.
        parameter, into, name, other = MERGED[case.path]
        case.path_parameters[parameter], body[name] = into, other
        body.pop("fields", None)
        case.query = {**(case.query or {}), "dry_run": "true"}
    elif case.path == "/api/tags/{id}/records":
        body["type"], body["ids"] = "asset", ASSETS[:1]
    elif where == "POST /api/billing/snapshots" and isinstance(body.get("month"), str):
        # One that is over, whatever day it is.
        body["month"] = min(body["month"], "2026-01")
    elif case.path == "/api/subnets/{id}":
        # The gateway that it has must lie in it.
        body.pop("cidr", None)
    elif case.path == "/api/accounts/{id}":
        # It may be one's own.
        for name in {"role", "enabled"} & body.keys():
            del body[name]
    elif case.path == "/api/custom_fields/{id}":
        for name in OF_NEW_FIELDS & body.keys():
            del body[name]
    elif where == "POST /api/contacts/{id}/forget":
        contact = ask(f"/api/contacts/{case.path_parameters['id']}") if str(case.path_parameters["id"]).isdigit() else None
        body["name"] = contact["name"] if contact else "nobody"
    elif where == "PUT /api/my/notices":
        mine = {kind["kind"] for kind in (ask("/api/my/notices", CALLER) or {"kinds": []})["kinds"]}
        for name in body.keys() - mine - {"digest_at", "time_zone"}:
            del body[name]
    elif where in PROVED:
        body["current_password"] = PASSWORD
        if body.get("companies"):
            body["companies"] = [MINE]
        if "new_password" in body:
            body["new_password"] = PASSWORD
    elif where == "PUT /api/sync/credentials/{system}":
        known = next((one for one in ask("/api/sync/credentials", CALLER) or [] if one["system"] == case.path_parameters["system"]), None)
        if known:
            case.body = {"domain" if known["system"] == "freshservice" else "api_endpoint": ""}


# Which operations have answered well: `run` tells of those that never did. None is said without a place to write it.
ANSWERED, ANSWERED_IN = set(), os.environ.get("CODEX_ANSWERED")


@schemathesis.hook
def after_call(context, case, response):
    """Notes what has answered."""
    if 200 <= response.status_code < 300:
        ANSWERED.add(f"{case.method} {case.path}")


@atexit.register
def write_answered():
    """Tells `run` of it."""
    if ANSWERED_IN:
        with open(ANSWERED_IN, "w", encoding="utf-8") as file:
            file.writelines(f"{operation}\n" for operation in sorted(ANSWERED))


FIRST, ASKED = {}, {}


def first_of(path):
    """The key of a record of the list that an operation's path stands in, such as the first asset's id for /api/assets/{id}/file."""
    parent, _, rest = path.partition("/{")
    name = rest.partition("}")[0]
    if name == "acct":
        return COMPANY
    if parent not in FIRST:
        try:
            rows = ask(f"{parent}?limit=1")
        except (urllib.error.URLError, ValueError):
            rows = None
        if isinstance(rows, dict):
            rows = next((member for member in rows.values() if isinstance(member, list)), None)
        FIRST[parent] = rows[0] if rows and isinstance(rows[0], dict) else {}
    return FIRST[parent].get(name)


# A time of history refuses filters, and months that are compared must follow each other.
DEPENDENT_QUERIES = {"as_of", "from", "to"}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Valid data names records that exist, and leaves out what depends on something else."""
    if case.path.startswith("/webhooks/"):
        case.headers = {**(case.headers or {}), "X-Webhook-Secret": os.environ["CODEX_WEBHOOKS_SECRET"]}
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    for name in DEPENDENT_QUERIES & set(case.query or {}):
        del case.query[name]
    if case.method == "GET" and case.path.count("{") == 1:
        # What is guessed is not there: every second question is one about something that is.
        name, known = case.path.partition("{")[2].partition("}")[0], first_of(case.path)
        ASKED[case.path] = ASKED.get(case.path, 0) + 1
        if known is not None and ASKED[case.path] % 2:
            case.path_parameters[name] = known
    if case.method in ("PATCH", "DELETE") and not case.path.endswith("}") and "/my/" not in case.path:
        # Many records at once are named by a filter: these by ids that nothing has.
        case.query = {"id__in": "999999999"}
    if case.path == "/api/import/{kind}":
        case.path_parameters["kind"], case.body = "companies", b"name\nImported\n"
        case.query = {"dry_run": "true"}
    if case.path == "/api/attachments":
        case.query = {**(case.query or {}), "entity": "asset", "entity_id": str(ASSETS[0]), "name": "file.png"}
    if case.media_type == "multipart/form-data":
        case.body = {"file": "What stands in it."}
        return
    if not isinstance(case.body, dict):
        return
    raw = case.operation.schema.raw_schema
    content = case.operation.definition.raw.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is not None:
        fill(case.body, schema, raw, case.method == "POST")
    fit(case)
