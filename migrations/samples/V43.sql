INSERT INTO feed_gaps (after, until) VALUES (1000001, 3000000);
