"""Cases of TGI's wire, run against everything that claims to speak it."""
