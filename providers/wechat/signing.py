"""Request signatures, WECHATPAY2-SHA256-RSA2048 (merchant docs 4012365336, 4012365334; JSAPI 4012365339)."""

from base64 import b64encode
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

SCHEME = "WECHATPAY2-SHA256-RSA2048"


class UnableToLoadKey(ValueError):
    """A configured key is not the kind of key that it should be. The text never holds key material."""


@dataclass(frozen=True)
class Signer:
    """The merchant's identity: `serial_no` is the 40-hex serial of the merchant's API certificate."""

    mchid: str
    serial_no: str
    key: RSAPrivateKey

    @classmethod
    def from_pem(cls, mchid: str, serial_no: str, pem: str) -> "Signer":
        try:
            key = load_pem_private_key(pem.encode(), password=None)
        except (ValueError, TypeError):
            raise UnableToLoadKey(f"the private key of merchant {mchid} is not an unencrypted PEM key") from None
        if not isinstance(key, RSAPrivateKey):
            raise UnableToLoadKey(f"the private key of merchant {mchid} is not an RSA key")
        return cls(mchid, serial_no, key)

    def sign(self, message: bytes) -> str:
        """SHA256withRSA (PKCS#1 v1.5), base64."""
        return b64encode(self.key.sign(message, PKCS1v15(), SHA256())).decode()

    def authorization(self, method: str, target: str, body: bytes, *, timestamp: int, nonce: str) -> str:
        """The Authorization header. `target` is path and query exactly as sent, after percent-encoding."""
        message = b"\n".join((method.encode(), target.encode(), str(timestamp).encode(), nonce.encode(), body, b""))
        fields = {
            "mchid": self.mchid,
            "nonce_str": nonce,
            "signature": self.sign(message),
            "timestamp": str(timestamp),
            "serial_no": self.serial_no,
        }
        return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in fields.items())

    def jsapi(self, appid: str, prepay_id: str, *, timestamp: int, nonce: str) -> dict[str, str]:
        """What the mini program or page hands to `requestPayment`."""
        package = f"prepay_id={prepay_id}"
        signature = self.sign(f"{appid}\n{timestamp}\n{nonce}\n{package}\n".encode())
        return {
            "appId": appid,
            "timeStamp": str(timestamp),
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": signature,
        }
