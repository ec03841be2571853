"""From a situation to grants for every slice: methods, the fallback chain, certificates, records."""
