"""What every picture and page shares: colours, cells of a density map, the order of the busiest, parts of web pages."""
