"""How Telegram as a whole is doing, judged by what became of our requests. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Waits between tries, in seconds, doubling.
FIRST_RETRY = 1.0
#: Nobody may wait much longer than this for an answer once Telegram is back.
_LONGEST_OUTAGE = 15.0
#: A message that alone fails is tried less and less often.
_LONGEST_RETRY = 300.0
#: Trouble in so many chats, and nothing going through, concerns all.
_EVERYBODY = 3


@dataclass(slots=True)
class Outage:
    """Tells trouble with one message from trouble with everything."""

    #: Tries since something last went through, those made side by side counted once.
    rounds: int = 0
    _troubled: set[int] = field(default_factory=set)
    _went_through: bool = True

    def went_through(self) -> None:
        """Note that Telegram carried out a request."""
        self.rounds = 0
        self._troubled.clear()
        self._went_through = True

    def unreachable(self, *, is_held: bool) -> float:
        """Note a request that could not leave; returns how long nobody should try.

        ``is_held``: all wait already because of another one of the same round.
        """
        self.rounds += not is_held
        return self.wait()

    def is_to_blame(self, chat_id: int) -> bool:
        """Note a 5xx; returns whether others get through, so that it must be this very message."""
        to_blame, self._went_through = self._went_through, False
        self._troubled.add(chat_id)
        return to_blame

    def concerns_all(self) -> bool:
        """Whether several chats are in trouble and nothing goes through."""
        return len(self._troubled) >= _EVERYBODY

    def wait(self) -> float:
        """Seconds until the next try of anything."""
        return min(_LONGEST_OUTAGE, FIRST_RETRY * 2.0 ** max(0, self.rounds - 1))


def retry_wait(attempt: int) -> float:
    """Seconds before a message that failed ``attempt`` times is tried again."""
    return min(_LONGEST_RETRY, FIRST_RETRY * 2.0 ** max(0, attempt - 1))
