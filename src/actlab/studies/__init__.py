"""Studies: plan -> ask -> executor -> record -> tell, in a run folder that survives any kill.

The only folder that imports Optuna. Training happens in `actlab.studies.worker`; nothing else here
imports torch.
"""
