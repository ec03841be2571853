"""The networks of problem one: the published ones from encoders and heads, and the size-free bipartite one."""
