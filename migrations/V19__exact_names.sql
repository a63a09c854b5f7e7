-- A list that is asked for the rows of one company by its name starts at the company, not at every row.
CREATE INDEX companies_exact_name ON companies (name);
