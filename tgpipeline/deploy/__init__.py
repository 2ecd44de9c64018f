"""The AWS side of the pipeline: CloudFormation stacks, `<name>-lake` to `<name>-analytics`.

The templates in lambda_src/ say what there is. `up` deploys them in order, `down` deletes them.
"""

from tgpipeline.deploy.health import queued, refusal_logged, status, unseen_days
from tgpipeline.deploy.stack import Stack
from tgpipeline.deploy.stacks import down, invoke, package, prove, resources, up
from tgpipeline.deploy.stages import rollback
from tgpipeline.deploy.templates import STAGES, Deployment
from tgpipeline.deploy.webhook import rotate_secret

__all__ = ["STAGES", "Deployment", "Stack", "down", "invoke", "package", "prove", "queued"]
__all__ += ["refusal_logged", "resources", "rollback", "rotate_secret", "status", "unseen_days"]
__all__ += ["up"]
