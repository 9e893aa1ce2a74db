"""Who may work with the operators' pages: people, passwords, sessions, and waiting after mistakes."""
