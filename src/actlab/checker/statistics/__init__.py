"""Measuring how a network behaves on data: units, gradients, spread; one way for rules and watch.

The rules ACT5xx measure one captured step, `actlab.watch` many passes of a training. Both fill the
same frozen values (`units.ActivationMeasure`, `gradients.LayerMeasure`) through the functions of
this folder, and both hand them to the same rules, so that a threshold and a sentence exist once.
"""
