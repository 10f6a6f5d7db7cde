"""The live view: run folders in a browser on this machine, read and never written.

    from actlab.serve.app import application

    application([Path("runs")])

`runs` finds run folders and says in which state each is, `app` answers the browser.
"""
