"""Questions put to the enriched zone: SQL, conversations, topics, charts, the report."""
