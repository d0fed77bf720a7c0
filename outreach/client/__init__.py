"""A client of the API for other programs. It imports nothing else of outreach: this folder can be copied alone."""

from outreach.client.client import Client
from outreach.client.problems import Problem, Unanswered
from outreach.client.signatures import BadSignature, verify

__all__ = ["BadSignature", "Client", "Problem", "Unanswered", "verify"]
