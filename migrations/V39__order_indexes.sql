-- The usual order of the long lists, tie-breaker and all, so that nothing is sorted, with what says whether a row is retired: the number of all
-- rows is read from the index alone.
DROP INDEX assets_hostname;
CREATE INDEX assets_hostname ON assets (hostname_folded, id, retired_at);
DROP INDEX contacts_name;
CREATE INDEX contacts_name ON contacts (name_folded, id, retired_at);
DROP INDEX tickets_newest;
CREATE INDEX tickets_newest ON tickets (last_updated_at DESC, id, retired_at);
DROP INDEX change_requests_newest;
CREATE INDEX change_requests_newest ON change_requests (vendor_updated_at DESC, id, retired_at);
