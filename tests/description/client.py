"""Works with Codex through the client that openapi-python-client made of its description, without a hand on it.

Usage: client.py URL TOKEN, with the package `codex_client` on the path.
"""

import sys

from codex_client import AuthenticatedClient
from codex_client.api.asset import get_api_asset_id
from codex_client.api.assets import get_api_assets, patch_api_assets_id, post_api_assets
from codex_client.api.changes import get_api_changes
from codex_client.api.companies import get_api_companies, get_api_companies_acct, post_api_companies, put_api_companies_acct
from codex_client.api.contacts import get_api_contacts, post_api_contacts
from codex_client.api.search import get_api_search
from codex_client.api.ticket import get_api_ticket_id
from codex_client.api.tickets import get_api_tickets
from codex_client.models import AssetsChange, AssetsRequest, CompaniesChange, CompaniesRequest, CompanyView, ContactsRequest, Error

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)


def done(answer):
    assert answer is not None and not isinstance(answer, Error), answer
    return answer


# Create and read.
company = done(post_api_companies.sync(client=client, body=CompaniesRequest(name="Generated & Sons", billing_plan="Gold")))
account = company.account_number
assert done(get_api_companies_acct.sync(account, client=client)).name == "Generated & Sons"
contact = done(post_api_contacts.sync(client=client, body=ContactsRequest(name="Gina Rated", company_account_numbers=[account])))
asset = done(post_api_assets.sync(client=client, body=AssetsRequest(hostname="GEN-1", company_account_number=account)))

# List: everything, then page by page; the pages are the whole.
everything = done(get_api_companies.sync(client=client))
assert all(isinstance(row, CompanyView) for row in everything), "rows have their type"
paged, page = [], 1
while True:
    part = done(get_api_companies.sync(client=client, envelope=True, page=page, per_page=7))
    paged += [row.account_number for row in part.items]
    if len(paged) >= part.total:
        break
    page += 1
assert paged == [row.account_number for row in everything], "pages have every row once"
assert [row.name for row in done(get_api_contacts.sync(client=client, company_id=account))] == ["Gina Rated"]

# Update; what has not been sent stays, and a wrong value is refused by its field's name.
cursor, more = 0, True
while more:
    part = done(get_api_changes.sync(client=client, since=cursor))
    cursor, more = part.cursor, part.more
changed = done(put_api_companies_acct.sync(account, client=client, body=CompaniesChange(description="Made by a program")))
assert (changed.description, changed.billing_plan) == ("Made by a program", "Gold")
assert done(patch_api_assets_id.sync(asset.id, client=client, body=AssetsChange(serial_number="GEN-SERIAL-1"))).serial_number == "GEN-SERIAL-1"
refused = put_api_companies_acct.sync(account, client=client, body=CompaniesChange(name=" "))
assert isinstance(refused, Error) and refused.errors[0].field == "name", refused

# Search, and the feed since the cursor.
assert any(hit.id == asset.id for hit in done(get_api_search.sync(client=client, q="GEN-SERIAL-1")).assets)
feed = done(get_api_changes.sync(client=client, since=cursor))
assert [(change.entity, change.action) for change in feed.changes] == [("company", "update"), ("asset", "update")], feed
assert done(get_api_asset_id.sync(asset.id, client=client)).hostname == "GEN-1"

# Tickets, with what was said in them.
tickets = done(get_api_tickets.sync(client=client, limit=5)).tickets
assert len(tickets) == 5 and done(get_api_assets.sync(client=client, limit=1))[0].id
for row in tickets:
    ticket = done(get_api_ticket_id.sync(row.id, client=client))
    assert ticket.subject == row.subject and all(message.body is not None for message in ticket.conversations)
print(f"the generated client lists, pages, creates, updates, searches, follows the feed and reads tickets: {len(everything)} companies")
