"""Lambda 2: a day of the raw zone becomes Parquet in the enriched zone."""
