"""What the template's references mean on this machine: names, ARNs, URLs, secrets, and each function's environment."""

import os
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from local.addresses import HOST, STORE
from local.state import State
from local.template import Function, Secret, Template, resolve
from local.workers.instance import Hosted

REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"
PSEUDO_PARAMETERS: Final = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "local",
}


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts answer: URLs without a trailing slash, by logical id."""

    control: str
    dynamodb: str
    apis: Mapping[str, str]
    function_urls: Mapping[str, str]
    outside: Mapping[str, str] = field(default_factory=dict)
    """The outside parties that are played here, by name."""

    @property
    def api(self) -> str:
        """The first API of the template: the one that people reach."""
        return next(iter(self.apis.values()), self.control)


class Names:
    """The lookup that `template.resolve` asks. Raises KeyError for what is not in the template."""

    def __init__(self, template: Template, state: State, places: Places, parameters: Mapping[str, str]) -> None:
        self._template = template
        self._state = state
        self._places = places
        defaults = {name: each.default for name, each in template.parameters.items() if each.default is not None}
        here = {"TokenIssuer": places.control, "PublicUrl": places.api} | _outside(places)
        self.parameters = defaults | {name: url for name, url in here.items() if name in defaults} | dict(parameters)

    def ref(self, name: str) -> str:
        template = self._template
        if name in self.parameters:
            return self.parameters[name]
        if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        if name in template.queues:
            return self.queue_url(name)
        if name in template.tables:
            return template.tables[name].name
        if name in template.machines or name in template.secrets:
            return self.arn(name)
        if name in template.functions or name in self._places.apis:
            return name
        raise KeyError(name)

    def attribute(self, logical_id: str, attribute: str) -> str:
        match attribute:
            case "Arn":
                return self.arn(logical_id)
            case "StreamArn":
                return f"{self.arn(logical_id)}/stream/local"
            case "QueueName":
                return self.queue_name(logical_id)
            case "QueueUrl":
                return self.queue_url(logical_id)
            case "FunctionUrl":
                return self._places.function_urls[logical_id] + "/"  # Lambda's ends with a slash too
            case "ApiEndpoint":
                return self._places.apis[logical_id]
            case "Name" if logical_id in self._template.machines:
                return self._template.machines[logical_id].name
        raise KeyError(f"{logical_id}.{attribute}")

    def secret(self, secret_id: str) -> str:
        """The secret's text, made up at first need and kept. `secret_id` is its ARN, or its logical id."""
        logical_id = secret_id.rpartition(":secret:")[2]
        declared = self._template.secrets[logical_id]
        kept = self._state.setting(f"secret:{logical_id}")
        if kept is not None:
            return kept
        if declared.text is not None:
            return str(resolve(declared.text, self))
        return self.keep_secret(logical_id, generate(declared))

    def keep_secret(self, logical_id: str, text: str) -> str:
        """From now on, the secret's text."""
        self._state.set(f"secret:{logical_id}", text)
        return text

    def arn(self, logical_id: str) -> str:
        template = self._template
        if logical_id in template.functions:
            return arn("lambda", f"function:{logical_id}")
        if logical_id in template.queues:
            return arn("sqs", self.queue_name(logical_id))
        if logical_id in template.tables:
            return arn("dynamodb", f"table/{template.tables[logical_id].name}")
        if logical_id in template.machines:
            return arn("states", f"stateMachine:{template.machines[logical_id].name}")
        if logical_id in template.secrets:
            return arn("secretsmanager", f"secret:{logical_id}")
        raise KeyError(logical_id)

    def queue_name(self, logical_id: str) -> str:
        return self._template.queues[logical_id].name or logical_id

    def queue_url(self, logical_id: str) -> str:
        return f"{self._places.control}/{ACCOUNT}/{self.queue_name(logical_id)}"

    def environment(self, function: Function) -> dict[str, str]:
        """All variables a function finds, but for those that name the function itself."""
        declared = resolve(dict(function.environment), self)
        return self._of_lambda() | {name: str(value) for name, value in declared.items()}

    def allowed(self, function: Function) -> dict[str, list[str]]:
        """What the function's role allows: by action, the ARNs of resources."""
        allowed: dict[str, list[str]] = {}
        for permission in function.permissions:
            allowed.setdefault(permission.action, []).append(str(resolve(permission.resource, self)))
        return allowed

    def _of_lambda(self) -> dict[str, str]:
        return {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_CONFIG_FILE": os.devnull,  # the developer's own account must not be reached by accident
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
            "AWS_ENDPOINT_URL_DYNAMODB": self._places.dynamodb,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": self._places.dynamodb,
            "AWS_ENDPOINT_URL_S3": self._places.control + STORE.rstrip("/"),
            "AWS_ENDPOINT_URL_SQS": self._places.control,
            "AWS_ENDPOINT_URL_SFN": self._places.control,
            "AWS_ENDPOINT_URL_SESV2": self._places.control,
            "AWS_ENDPOINT_URL_LAMBDA": self._places.control,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self._places.control,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "LAMBDA_TASK_ROOT": str(self._template.directory),
        }


def _outside(places: Places) -> dict[str, str]:
    """The parameters that send functions to the outside parties of this machine, and let those speak."""
    urls = {f"{name}Url": url for name, url in places.outside.items()}
    return urls | {f"{name}Addresses": HOST for name in places.outside}


def hosted(function: Function, names: Names) -> Hosted:
    return Hosted(
        name=function.logical_id,
        module=function.module,
        attribute=function.attribute,
        timeout=function.timeout,
        memory_mb=function.memory_mb,
        arn=arn("lambda", f"function:{function.logical_id}"),
        allowed=names.allowed(function),
    )


def generate(secret: Secret) -> str:
    """A random text as Secrets Manager's GenerateSecretString would make it."""
    alphabet = string.ascii_letters + string.digits + ("" if secret.exclude_punctuation else string.punctuation)
    allowed = [each for each in alphabet if each not in secret.excluded_characters]
    return "".join(secrets.choice(allowed) for _ in range(secret.length))
