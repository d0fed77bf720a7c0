"""Localized SMS and e-mail outreach for clinics: what is planned, said, carried and remembered."""
