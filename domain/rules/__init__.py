"""Rule sets that business people write: decision tables read, checked, tried and evaluated. Data in, decisions out."""
