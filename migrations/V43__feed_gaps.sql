-- Numbers of changes that are gone: a database that is put back from a backup goes on above all that was ever given, so that
-- nobody who has read what was lost takes other changes for those. Numbers above after and below until are of lost changes.
CREATE TABLE feed_gaps (
  after BIGINT PRIMARY KEY,
  until BIGINT NOT NULL
);
-- One that was put back before there was this table.
INSERT INTO feed_gaps (after, until)
SELECT last.seq, head.version FROM head, (SELECT COALESCE(max(seq), 0) AS seq FROM changes) last
WHERE head.version > last.seq + 1;
-- What ends between two days is found without looking at every asset.
CREATE INDEX assets_warranty ON assets (warranty_expires) WHERE warranty_expires IS NOT NULL;
