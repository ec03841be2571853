"""What every study stands on: items, the workshop that measures and stores, scales, statistics, the manifest."""
