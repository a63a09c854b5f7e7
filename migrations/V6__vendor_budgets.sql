-- What a vendor account allows and when it may be asked again, by kind of call; '*' is the account as a whole.
-- The account is a fingerprint of its address and key.
CREATE TABLE vendor_budgets (
  account TEXT NOT NULL,
  bucket TEXT NOT NULL,
  total BIGINT,
  remaining BIGINT,
  seen_ms BIGINT,
  paused_until_ms BIGINT,
  PRIMARY KEY (account, bucket)
);
-- Calls that were set aside within the vendor's rolling window, by all processes together.
CREATE TABLE vendor_calls (
  account TEXT NOT NULL,
  bucket TEXT NOT NULL,
  slot_ms BIGINT NOT NULL,
  calls BIGINT NOT NULL,
  PRIMARY KEY (account, bucket, slot_ms)
);
