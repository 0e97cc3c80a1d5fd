"""`python -m obc_pipeline.documents` writes the JSON Schemas anew, after a document's model has changed."""

from obc_pipeline.documents.schemas import write_schemas

for path in write_schemas():
    print(path)
