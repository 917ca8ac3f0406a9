"""One file per external tool: argv out, parsed output in. Nothing here runs or reads."""
