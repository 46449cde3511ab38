"""The sync's only way to tell people something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from sync_handlers import clients
from sync_handlers.notices import Notice
from sync_handlers.observability import count, logger

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient


class Notifier(Protocol):
    def tell(self, notice: Notice) -> bool:
        """Whether anyone was told: what only some got is not sent to them again."""
        ...


class Silent:
    """For a mesh without topics: what would have been said is in the log."""

    def tell(self, notice: Notice) -> bool:
        logger.warning("nobody is told: the mesh has no topics", extra={"subject": notice.subject})
        return False


@dataclass(frozen=True)
class Topics:
    """The mesh's SNS topics. A notice that is not taken is logged and counted, and stops nothing."""

    client: SNSClient
    prefix: str
    """ARN of a topic up to its own part."""

    def tell(self, notice: Notice) -> bool:
        told = [self._publish(audience, notice) for audience in notice.to]
        return any(told)

    def _publish(self, audience: str, notice: Notice) -> bool:
        try:
            self.client.publish(TopicArn=f"{self.prefix}{audience}", Subject=notice.subject, Message=notice.text)
        except (ClientError, BotoCoreError) as error:
            reason = clients.text(error) if isinstance(error, ClientError) else str(error)
            logger.error("nobody was told", extra={"topic": audience, "subject": notice.subject, "reason": reason})
            count("NoticesFailed", 1)
            return False
        return True
