"""HTTP faces of the stand-in: the merchant's calls, the payer's pages, the backstage."""
