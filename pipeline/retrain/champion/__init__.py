"""Which version serves: the registry, promotion, rollback, and telling serving."""
