"""What the site takes from npm: fetched, checked, and laid out in build/vendor/."""
