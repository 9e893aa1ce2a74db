"""What the JSON API answers with: shapes that other programs rely on."""
