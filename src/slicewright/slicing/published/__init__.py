"""The published ways to plan: rules of thumb, and the subproblems handed to solvers. What ours is held against."""
