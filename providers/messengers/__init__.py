"""The messengers that companies work in: 企业微信, 钉钉, 飞书. Who signs in by them, and notices to one person."""
