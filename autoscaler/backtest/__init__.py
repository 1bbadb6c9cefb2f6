"""What a forecaster would have said: walking through history, origin by origin.

The same walk chooses the model that is used live. Nothing here may look past an origin.
"""
