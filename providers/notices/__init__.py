"""Notices to people: WeCom, DingTalk, Feishu, mail and whatever else apprise speaks."""
