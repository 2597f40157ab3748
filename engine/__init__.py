"""The engine side: TGI's wire over llama.cpp for machines without a GPU, and what watches an engine."""
