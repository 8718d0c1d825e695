"""Floor 3, study: many scenarios of one control, or one of many, and what would change the answer."""

from monazite.study.verb import HEADLINES, Study, finish, source_of, study
from monazite.study.work import work

__all__ = ["HEADLINES", "Study", "finish", "source_of", "study", "work"]
