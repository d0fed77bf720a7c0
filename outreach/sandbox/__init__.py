"""A Twilio-compatible and SMTP stand-in with phones one can look at; speaks only HTTP and SMTP."""
