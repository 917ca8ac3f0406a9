"""One file per external tool: argv out, parsed output in. Nothing in this room runs or reads anything."""
