"""The console: pages for the browser, served beside the HTTP service by the same process."""
