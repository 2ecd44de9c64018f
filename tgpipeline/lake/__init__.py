"""What lies where: keys, columns, rows, versions, the ledger, quarantine."""
