"""Companies' messengers: what `sandbox.wecom` (企业微信), `.dingtalk` (钉钉) and `.feishu` (飞书) share."""
