"""The AWS side of the pipeline: CloudFormation stacks, `<name>-lake` to `<name>-analytics`.

The templates in lambda_src/ say what there is. `up` deploys them in order, `down` deletes them.
"""

from tgpipeline.deploy.deployment import Deployment
from tgpipeline.deploy.health import log_events, queued, status, unseen_days
from tgpipeline.deploy.stack import Stack
from tgpipeline.deploy.stacks import Deployed, down, package, prove, resources, up
from tgpipeline.deploy.stages import invoke, rollback
from tgpipeline.deploy.templates import STAGES
from tgpipeline.deploy.webhook import rotate_secret

__all__ = ["STAGES", "Deployed", "Deployment", "Stack", "down", "package", "prove", "resources"]
__all__ += ["invoke", "log_events", "queued", "rollback", "rotate_secret", "status", "unseen_days"]
__all__ += ["up"]
