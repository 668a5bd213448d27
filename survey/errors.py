"""What can go wrong during a survey."""


class SurveyError(Exception):
    """The survey cannot go on; the message says what is wrong and what to do next."""
