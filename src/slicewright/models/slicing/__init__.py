"""Networks of problem one (model page 3): offloading decisions and shares."""
