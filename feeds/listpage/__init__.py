"""Lists of news read from HTML pages by their structure, without selectors."""

from feeds.listpage.page import parse_list_page

__all__ = ["parse_list_page"]
