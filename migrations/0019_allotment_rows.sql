-- Which rows were sold, as the report of an allotment tells its owner: [{"row", "seats", "revenue"}].
ALTER TABLE allotment_report ADD COLUMN sold_rows jsonb NOT NULL DEFAULT '[]';
