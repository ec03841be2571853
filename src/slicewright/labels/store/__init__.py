"""What a store of labels holds on disk: shards, the table in them, and the manifest beside them."""
