"""Orders: listens on PORT, keeps orders in DB_URL, asks CATALOG_URL for prices."""

import os

from .app import App
from .catalog import Catalog
from .serve import serve
from .store import Store

store = Store(os.environ["DB_URL"])
store.prepare()
serve(App(store, Catalog(os.environ["CATALOG_URL"])).handle, int(os.environ.get("PORT", "8080")))
