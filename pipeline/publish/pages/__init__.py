"""Pages: self-contained HTML, readable without a script. Equal results give equal bytes."""
