"""Where a browser is sent to sign in, by messenger: an address, for which no secret is needed."""

from urllib.parse import urlencode

from providers.messengers.port import MessengerApp

INSIDE_WECOM = "wxwork/"
"""In the name that 企业微信's own browser gives itself; there nobody scans a code."""


def entry(app: MessengerApp, back: str, state: str, browser: str = "") -> str:
    """`back`: the address of ours to come back to; `browser`: the name that it gives itself (User-Agent)."""
    match app.system:
        case "wecom" if INSIDE_WECOM in browser.lower():
            query = {
                "appid": app.app_id, "redirect_uri": back, "response_type": "code", "scope": "snsapi_base",
                "state": state, "agentid": app.agent_id,
            }  # fmt: skip
            return f"{app.at('open.weixin.qq.com', '/connect/oauth2/authorize')}?{urlencode(query)}#wechat_redirect"
        case "wecom":
            query = {
                "login_type": "CorpApp", "appid": app.app_id, "agentid": app.agent_id, "redirect_uri": back,
                "state": state,
            }  # fmt: skip
            return f"{app.at('login.work.weixin.qq.com', '/wwlogin/sso/login')}?{urlencode(query)}"
        case "dingtalk":
            query = {
                "redirect_uri": back, "response_type": "code", "client_id": app.app_id, "scope": "openid corpid",
                "state": state, "prompt": "consent", "corpId": app.tenant,
            }  # fmt: skip
            return f"{app.at('login.dingtalk.com', '/oauth2/auth')}?{urlencode(query)}"
        case "feishu":
            query = {"client_id": app.app_id, "redirect_uri": back, "response_type": "code", "state": state}
            return f"{app.at('accounts.feishu.cn', '/open-apis/authen/v1/authorize')}?{urlencode(query)}"
